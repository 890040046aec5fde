"""REST under /api/v1/, on Django REST framework."""

"""The timeline: which rows it has (order.py), their dates (dates.py), and its pages (views.py)."""

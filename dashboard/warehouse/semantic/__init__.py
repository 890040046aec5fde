"""Definitions of the product's figures for other tools: ``metrics.yaml``, metric views of
Databricks and a model of Power BI.

``measures.py`` says how each figure follows from the tables; ``sql.py``, ``dax.py`` and
``metric_views.py`` write the same in three languages. Titles, units and definitions are those of
``dashboard.figures``; those of public registers are in ``register_measures.py``.
"""

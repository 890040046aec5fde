"""The OData v4 feed under /odata/v1/, for Power BI, Excel and the like. Read only."""

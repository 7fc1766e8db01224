"""The contract compiler: openapi/ and db/queries/ in, constant C data and one JSON document out."""

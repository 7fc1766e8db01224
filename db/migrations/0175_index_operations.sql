-- What was done by one operation is found, in order, without reading what all others did; so is whether there is anything.
CREATE INDEX audit_operation_idx ON audit (operation, at, id) WHERE operation IS NOT NULL;

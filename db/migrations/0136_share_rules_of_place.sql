-- The contract tells which rule of place an operation has, so the function that knew a list of operations is no longer needed.
DROP FUNCTION IF EXISTS me_can_place(text, text, uuid, text, integer, text[], text[], bigint[], uuid[]);

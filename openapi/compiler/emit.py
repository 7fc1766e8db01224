"""contract.c: defines everything that openapi/contract.h declares.

Never to break: the output depends on the input alone, so the same contract gives the same bytes.
"""
from .checks import OPEN, PRIVATE
from .cwriter import c_bool, c_long_string, c_string
from .schema import SchemaTable

METHODS = {"get": "METHOD_GET", "post": "METHOD_POST", "put": "METHOD_PUT", "patch": "METHOD_PATCH",
           "delete": "METHOD_DELETE"}


class Emitter:
    def __init__(self, operations, statements, types, catalogue, builtins, scopes, routes, follow, kinds, unpublished):
        self.operations = operations
        self.statements = sorted(statements, key=lambda statement: statement.name)
        self.statement_index = {statement.name: i for i, statement in enumerate(self.statements)}
        self.types, self.scopes, self.routes = types, scopes, routes
        self.kinds = kinds  # of records that bodies name -> the operation that shows one
        self.tables = sorted(catalogue.tables)
        self.audited = catalogue.audited
        self.unpublished = set(unpublished)
        self.names = self._names(builtins)
        self.name_ids = {name: index for index, name in enumerate(self.names)}
        self.schemas = SchemaTable(follow)
        self.lines = []
        self.out = self.lines.append

    def _names(self, builtins):
        names = set()
        for statement in self.statements:
            names |= statement.uses()
        for operation in self.operations:
            names.update(p.name for p in operation.parameters)
            names.update(choice for p in operation.parameters for choice in p.choices)
            names.update(m.path for m in operation.members)
            names.update("sort." + order.name for order in operation.orders)
        return list(builtins) + sorted(names - set(builtins))

    def text(self, openapi_json, version, enumerations):
        for operation in self.operations:  # number the schemas before they are written
            for parameter in operation.parameters:
                self.schemas.number(parameter.schema)
            if operation.body is not None:
                self.schemas.number(operation.body)
        self.out("/* Made by openapi/compile.py from openapi/ and db/queries/; changes here are lost. */")
        self.out('#include "openapi/contract.h"\n\n#include "api/base/text.h"\n#include <string.h>\n')
        self.out(f"const uint16_t contract_name_count = {len(self.names)};")
        self._texts("contract_names", self.names)
        self._texts("contract_tables", self.tables)
        self.out(f"const uint16_t contract_table_count = {len(self.tables)};")
        self._texts("contract_scopes", self.scopes)
        self.out(f"const uint8_t contract_scope_count = {len(self.scopes)};\n")
        self.schemas.emit(self.out)
        self.out("")
        self._statements()
        self._kinds()
        self._operations(enumerations)
        self._routes()
        self.out(f"\nconst char contract_version[] = {c_string(version)};")
        self.out(f"const char contract_openapi_json[] =\n    {c_long_string(openapi_json)};")
        self.out("const size_t contract_openapi_json_len = sizeof(contract_openapi_json) - 1;")
        return "\n".join(self.lines) + "\n"

    def _texts(self, name, texts):
        rows = ",\n    ".join(c_string(text) for text in texts) or "NULL"
        self.out(f"const char *const {name}[] = {{\n    {rows}}};")

    def _array(self, kind, name, rows):
        """A static array, or NULL for an empty one."""
        if not rows:
            return "NULL"
        self.out(f"static const {kind} {name}[] = {{{', '.join(rows)}}};")
        return name

    def _table_ids(self, tables):
        return [str(self.tables.index(table)) for table in sorted(tables)]

    # -- statements --

    def _statements(self):
        rows = []
        for index, statement in enumerate(self.statements):
            rows.append(self._statement(index, statement))
        body = ",\n    ".join(rows) or "{.name = NULL}"
        self.out(f"const struct statement contract_statements[] = {{\n    {body}}};")
        self.out(f"const uint16_t contract_statement_count = {len(rows)};\n")
        self.out("""const struct statement *contract_statement(const char *name)
{
    size_t low = 0, high = contract_statement_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, contract_statements[middle].name);
        if (order == 0)
            return &contract_statements[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
""")

    def _statement(self, index, statement):
        conditions, parameters = statement.conditions(), statement.parameters()
        rows = []
        for condition in conditions:
            ids = [str(self.name_ids[name]) for name, _ in condition] + ["NAME_NONE"] * (3 - len(condition))
            negated = [c_bool(flag) for _, flag in condition]
            rows.append(f"{{{{{', '.join(ids)}}}, {{{', '.join(negated)}}}}}")
        names = [self._array("struct condition", f"conditions_{index}", rows)]
        rows = []
        for fragment in statement.fragments:
            parameter = parameters.index(fragment.parameter) if fragment.parameter else -1
            condition = conditions.index(fragment.condition) if fragment.condition else -1
            rows.append(f"\n    {{{c_string(fragment.text)}, {len(fragment.text.encode())}, {parameter}, {condition}}}")
        names.append(self._array("struct fragment", f"fragments_{index}", rows))
        types = self.types[statement.name]
        rows = [f"{{{self.name_ids[name]}, {_type(types[name])}}}" for name in parameters]
        names.append(self._array("struct statement_parameter", f"parameters_{index}", rows))
        names.append(self._array("uint16_t", f"tables_{index}", self._table_ids(statement.tables)))
        return (f"{{.name = {c_string(statement.name)}, .file = {c_string(statement.file)}, .line = {statement.line}, "
                f".index = {index}, .cardinality = CARDINALITY_{statement.cardinality.upper()}, "
                f".condition_count = {len(conditions)}, .fragment_count = {len(statement.fragments)}, "
                f".parameter_count = {len(parameters)}, .table_count = {len(statement.tables)}, "
                f".conditions = {names[0]}, .fragments = {names[1]}, .parameters = {names[2]}, .tables = {names[3]}}}")

    # -- operations --

    def _kinds(self):
        self.kind_index = {kind: index for index, kind in enumerate(sorted(self.kinds))}
        rows = [f"{{{c_string(kind)}, &contract_operations[{self._index(self.kinds[kind])}]}}" for kind in self.kind_index]
        if rows:
            self.out("static const struct reference_kind reference_kinds[] = {\n    " + ",\n    ".join(rows) + "};")

    def _operations(self, enumerations):
        if any(operation.constant for operation in self.operations):
            self.out(f"static const char constant_enumerations[] =\n    {c_long_string(enumerations)};")
        rows = [self._operation(index, operation) for index, operation in enumerate(self.operations)]
        body = ",\n    ".join(rows)
        self.out(f"const struct operation contract_operations[] = {{\n    {body}}};")
        self.out(f"const uint16_t contract_operation_count = {len(rows)};\n")

    def _parameter(self, index, number, parameter):
        choices = self._array("uint16_t", f"choices_{index}_{number}",
                              [str(self.name_ids[choice]) for choice in parameter.choices])
        return (f"\n    {{.name = {c_string(parameter.name)}, .name_id = {self.name_ids[parameter.name]}, "
                f".role = PARAMETER_{parameter.role.upper()}, .type = {_type(parameter.type)}, "
                f".required = {c_bool(parameter.required)}, .list = {c_bool(parameter.list_max)}, "
                f".list_max = {parameter.list_max}, .cost = {parameter.cost}, "
                f".needs = {self.name_ids[parameter.needs] if parameter.needs else 'NAME_NONE'}, "
                f".initial = {c_string(parameter.initial)}, {self._refers(parameter)}"
                f".schema = {self.schemas.reference(parameter.schema)}, .choice_names = {choices}}}")

    def _refers(self, parameter):
        kind = parameter.refers
        if kind in (None, PRIVATE, OPEN):
            return ""
        return (f".refers = &contract_statements[{self.statement_index['refers_' + kind]}], "
                f".references = {self.name_ids['references.' + kind]}, ")

    def _operation(self, index, operation):
        parameters = self._array("struct parameter", f"operation_parameters_{index}",
                                 [self._parameter(index, n, p) for n, p in enumerate(operation.parameters)])
        members = self._array("struct member", f"members_{index}",
                              [f"{{{c_string(m.path)}, {self.name_ids[m.path]}, {_type(m.type)}}}"
                               for m in operation.members])
        references = self._array("struct reference", f"references_{index}",
                                 [f"{{{c_string(r.path)}, &reference_kinds[{self.kind_index[r.kind]}]}}"
                                  for r in operation.references])
        orders = self._array("struct order", f"orders_{index}", [self._order(order) for order in operation.orders])
        security = self._array("struct security", f"security_{index}",
                               [f"{{{sum(1 << self.scopes.index(scope) for scope in scopes)}u}}"
                                for scopes in operation.security])
        reach = self._array("struct security", f"reach_{index}",
                            [f"{{{1 << self.scopes.index(scope)}u}}" for scope in operation.reach])
        fields = self._array("char *const", f"fields_{index}", [c_string(name) for name in operation.fields])
        read = set()
        for role in ("gate", "answer"):
            if role in operation.statements:
                read |= self.statements[self.statement_index[operation.statements[role]]].tables
        for parameter in operation.parameters:
            if parameter.refers not in (None, PRIVATE, OPEN):
                read |= self.statements[self.statement_index["refers_" + parameter.refers]].tables
        tables = self._array("uint16_t", f"operation_tables_{index}", self._table_ids(read))
        parts = [
            f".id = {c_string(operation.id)}", f".path = {c_string(operation.path)}", f".index = {index}",
            f".method = {METHODS[operation.method]}", f".open = {c_bool(not operation.security)}",
            f".audited = {c_bool(operation.flag('x-audited'))}",
            f".recent_login = {c_bool(operation.flag('x-recent-login'))}",
            f".unkept = {c_bool(operation.flag('x-audited') or read & self.unpublished)}",
            f".secret = {c_bool(operation.flag('x-secret'))}", f".lenient = {c_bool(operation.flag('x-lenient'))}",
            f".creates = {c_bool(operation.success == 201)}",
            f".match_gated = {c_bool(self._gates_match(operation))}",
            f".tagged = {c_bool('ETag' in (operation.node['responses'].get('200', {}).get('headers') or {}))}",
            f".idempotent = {c_bool('idempotency-key' in operation.headers)}",
            f".match_required = {c_bool(operation.flag('x-match-required'))}",
            f".optional_body = {c_bool(operation.optional_body)}", f".success = {operation.success}",
            f".produces = {_media(operation.produces)}", f".consumes = {_media(operation.consumes)}",
            f".cost = {operation.number('x-cost', 1)}", f".timeout_ms = {operation.number('x-timeout-ms', 0)}",
            f".body_max_bytes = {operation.number('x-body-max-bytes', 65536)}",
            f".security = {security}", f".security_count = {len(operation.security)}",
            f".place = {c_string(operation.place_rule)}", f".reach = {reach}", f".reach_count = {len(operation.reach)}",
            f".key = {self.name_ids[operation.key] if operation.success == 201 else 'NAME_ID'}",
            f".order_count = {len(operation.orders)}", f".parameter_count = {len(operation.parameters)}",
            f".member_count = {len(operation.members)}", f".field_count = {len(operation.fields)}",
            f".table_count = {len(read)}", f".unwatched = {c_bool(bool(read - self.audited))}",
            f".parameters = {parameters}",
            f".body = {self.schemas.reference(operation.body) if operation.body is not None else 'NULL'}",
            f".references = {references}", f".reference_count = {len(operation.references)}",
            f".members = {members}", f".orders = {orders}", f".fields = {fields}",
            f".handler = {c_string(operation.handler)}", f".prepare = {c_string(operation.prepare)}",
            f".body_constant = {'constant_' + operation.constant if operation.constant else 'NULL'}",
            f".tables = {tables}",
        ]
        for role in ("gate", "current", "write", "answer"):
            if role in operation.statements:
                parts.append(f".{role} = &contract_statements[{self.statement_index[operation.statements[role]]}]")
        return "{" + ", ".join(parts) + "}"

    def _gates_match(self, operation):
        """Does the operation's gate itself compare If-Match?"""
        gate = operation.statements.get("gate")
        return gate is not None and "if_match" in self.statements[self.statement_index[gate]].uses()

    def _order(self, order):
        keys = ", ".join(f"{{{c_string(column)}, {_type(kind)}}}" for column, kind in order.keys.items())
        needs = self.name_ids[order.needs] if order.needs else "NAME_NONE"
        return (f"{{.name = {c_string(order.name)}, .condition = {self.name_ids['sort.' + order.name]}, "
                f".needs = {needs}, .key_count = {len(order.keys)}, .keys = {{{keys}}}}}")

    # -- routes --

    def _routes(self):
        """Breadth first, so that the children of one place stand together."""
        rows, queue = [], [(None, self.routes)]
        placed, next_row = {}, 0
        order = []
        while queue:
            literal, node = queue.pop(0)
            children = [(text, node.literals[text]) for text in sorted(node.literals, key=str.encode)]
            if node.parameter is not None:
                children.append((None, node.parameter))
            order.append((literal, node, next_row, len(children)))
            next_row += len(children)
            queue.extend(children)
        for literal, node, start, count in order:
            operations = ", ".join(f"[{METHODS[method]}] = &contract_operations[{self._index(operation)}]"
                                   for method, operation in node.operations.items())
            rows.append(f"{{.literal = {c_string(literal)}, .children = {f'routes + {start}' if count else 'NULL'}, "
                        f".child_count = {count}, .operations = {{{operations or 'NULL'}}}}}")
        self.out(f"static const struct route routes[{max(len(rows) - 1, 1)}];")
        body = ",\n    ".join(rows[1:])
        self.out(f"static const struct route routes[{max(len(rows) - 1, 1)}] = {{\n    {body}}};")
        self.out(f"const struct route contract_root = {rows[0]};")

    def _index(self, operation):
        return self.operations.index(operation)


def _type(kind):
    return "VALUE_" + ("text" if kind == "key" else kind).upper()


def _media(media):
    return " | ".join("MEDIA_" + name.upper() for name in dict.fromkeys(media)) or "0"

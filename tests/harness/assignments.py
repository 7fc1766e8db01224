"""What tests of assignments do again and again: users out of nothing, and appointing."""

import uuid

from harness import users

PATH = "/v1/assignments"


def user(api, name="Uji", status="active"):
    """An account that cannot log in, for those who are only appointed."""
    return str(api.service.sql("INSERT INTO app_user (username, name, status) VALUES (%s, %s, %s) RETURNING id",
                               f"uji.{uuid.uuid4().hex[:12]}", name, status)[0])


def invited(api, token):
    """The id of an account that this caller made, who then knows of it; of some account, where the caller may make none."""
    answer = api.post(users.PATH, token=token, once=True, json=users.body_of())
    return answer.json()["id"] if answer.status_code == 201 else user(api)


def appoint(api, role, token="national_admin", holder=None, once=False, **body):
    """The answer to a POST; a new user unless somebody is named, all of Indonesia unless a place is."""
    if "client_id" not in body:
        body["user_id"] = holder or (user(api) if token == "national_admin" else invited(api, token))
    if not {"national", "region_code", "library_id"} & set(body):
        body["national"] = True
    return api.post(PATH, token=token, once=once, json={"role": role, **body})


def appointed(api, role, **options):
    answer = appoint(api, role, once=True, **options)
    assert answer.status_code == 201, f"{answer.status_code} {answer.text}"
    return answer.json()


def change(api, one, token="national_admin", **fields):
    """A PATCH with the tag as it is now."""
    tag = api.get(f"{PATH}/{one}", token="national_admin").headers["ETag"]
    return api.patch(f"{PATH}/{one}", fields, etag=tag, token=token)


def end(api, one, token="national_admin", **options):
    return api.post(f"{PATH}/{one}/end", token=token, **options)

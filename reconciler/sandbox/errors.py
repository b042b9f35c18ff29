"""The refusals of the API: status, error code and message of every error the sandbox answers on purpose.

Messages follow the wording the real service is known by; which rule is broken is decided where they are raised.
"""

TYPE_WORDS = {
    "TABLE": "Table",
    "VIEW": "View",
    "MATERIALIZED_VIEW": "Materialized View",
    "STREAMING_TABLE": "Streaming Table",
    "FOREIGN_TABLE": "Foreign Table",
    "SCHEMA": "Schema",
    "VOLUME": "Volume",
    "MODEL": "Model",
    "FUNCTION": "Function",
    "NOTEBOOK_FILE": "Notebook",
    "FEATURE_SPEC": "Feature Spec",
}


class ApiError(Exception):
    """A refusal on its way to the client; `retry_after` (seconds) becomes the Retry-After header."""

    def __init__(self, status: int, error_code: str, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(f"{status} {error_code}: {message}")
        self.status = status
        self.error_code = error_code
        self.message = message
        self.retry_after = retry_after


def invalid(message: str) -> ApiError:
    return ApiError(400, "INVALID_PARAMETER_VALUE", message)


def invalid_state(message: str) -> ApiError:
    return ApiError(400, "INVALID_STATE", message)


def malformed(message: str) -> ApiError:
    return ApiError(400, "MALFORMED_REQUEST", message)


def denied(message: str) -> ApiError:
    return ApiError(403, "PERMISSION_DENIED", message)


def not_owner(kind: str, name: str) -> ApiError:
    return denied(f"User is not an owner of {kind} '{name}'")


def lacks(privilege: str, kind: str, name: str) -> ApiError:
    return denied(f"User does not have {privilege.replace('_', ' ')} on {kind} '{name}'.")


def missing_field(operation: str, name: str) -> ApiError:
    return invalid(f"{operation} Missing required field: {name}")


def does_not_exist(kind: str, name: str) -> ApiError:
    """`kind` as in messages: Recipient, Share, Catalog, Schema, Table, Volume, Function, Model."""
    code = "RESOURCE_DOES_NOT_EXIST" if kind in {"Function", "Model"} else f"{kind.upper()}_DOES_NOT_EXIST"
    stop = "" if kind in {"Recipient", "Share"} else "."
    return ApiError(404, code, f"{kind} '{name}' does not exist{stop}")


def resource_does_not_exist(message: str) -> ApiError:
    return ApiError(404, "RESOURCE_DOES_NOT_EXIST", message)


def already_exists(kind: str, name: str, status: int) -> ApiError:
    return ApiError(status, f"{kind.upper()}_ALREADY_EXISTS", f"{kind} {name} already exists")


def shared_already(data_object_type: str, name: str) -> ApiError:
    return ApiError(400, "RESOURCE_ALREADY_EXISTS", f"Shared {TYPE_WORDS[data_object_type]} '{name}' already exists")


def not_shared(data_object_type: str, name: str) -> ApiError:
    return resource_does_not_exist(f"Shared {TYPE_WORDS[data_object_type]} '{name}' does not exist")


def unknown_principal(name: str) -> ApiError:
    return ApiError(404, "PRINCIPAL_DOES_NOT_EXIST", f"Could not find principal with name {name}")


def feature_disabled(message: str) -> ApiError:
    return ApiError(404, "FEATURE_DISABLED", message)


def quota_exceeded(what: str, limit: int, status: int) -> ApiError:
    return ApiError(status, "QUOTA_EXCEEDED", f"Cannot create more than {limit} {what}: the quota is reached.")


def no_endpoint(method: str, path: str) -> ApiError:
    return ApiError(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'")

"""The API classes of the Databricks SDK that are used here, over one connection: what `WorkspaceClient` makes of a
hundred more, each of a service that would have to be imported."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeVar

from databricks.sdk.config import Config
from databricks.sdk.core import ApiClient
from databricks.sdk.service import catalog, iam, sharing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Client:
    """Its attributes have the names that they have in a `WorkspaceClient`."""

    api_client: ApiClient
    catalogs: catalog.CatalogsAPI
    current_user: iam.CurrentUserAPI
    functions: catalog.FunctionsAPI
    grants: catalog.GrantsAPI
    metastores: catalog.MetastoresAPI
    recipient_federation_policies: sharing.RecipientFederationPoliciesAPI
    recipients: sharing.RecipientsAPI
    registered_models: catalog.RegisteredModelsAPI
    schemas: catalog.SchemasAPI
    shares: sharing.SharesAPI
    tables: catalog.TablesAPI
    volumes: catalog.VolumesAPI

    @classmethod
    def of(cls, config: Config) -> Self:
        api = ApiClient(config)

        def over(kind: Callable[[ApiClient], T]) -> T:
            return kind(api)

        return cls(
            api_client=api,
            catalogs=over(catalog.CatalogsAPI),
            current_user=over(iam.CurrentUserAPI),
            functions=over(catalog.FunctionsAPI),
            grants=over(catalog.GrantsAPI),
            metastores=over(catalog.MetastoresAPI),
            recipient_federation_policies=over(sharing.RecipientFederationPoliciesAPI),
            recipients=over(sharing.RecipientsAPI),
            registered_models=over(catalog.RegisteredModelsAPI),
            schemas=over(catalog.SchemasAPI),
            shares=over(sharing.SharesAPI),
            tables=over(catalog.TablesAPI),
            volumes=over(catalog.VolumesAPI),
        )

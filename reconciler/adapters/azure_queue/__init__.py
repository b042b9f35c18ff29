"""The doorbell on Azure Storage Queue: `AzureQueueDoorbell` in `doorbell`, the message text in `message`, what the
Azure SDK is told and how its failures read in `client`. Importing this package does not import the SDK."""

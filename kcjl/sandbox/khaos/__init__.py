"""The SOAP face of the sandbox's ERP: Khaos Control's web service over real HTTP."""

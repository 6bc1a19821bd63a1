"""Apache Airflow provider for Zoho CRM: mass deletes of tags and records, watched to their end."""

__version__ = "0.1.0"

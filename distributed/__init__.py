"""A distributed Airflow on this machine that cleans many modules of many orgs while parts of it are killed."""

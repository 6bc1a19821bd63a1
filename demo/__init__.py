"""What ``make demo`` runs: a clean-up of tags by a real Airflow, against a Zoho CRM emulator, on this machine alone."""

"""``python -m airflow_provider_zcrm connect``: what ``airflow zoho-crm connect`` does, on every Airflow."""

from __future__ import annotations

import sys

from airflow_provider_zcrm.cli.run import main

if __name__ == "__main__":
    sys.exit(main())

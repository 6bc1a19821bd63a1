"""``python -m airflow_provider_zcrm.emulator.probe``."""

import sys

from airflow_provider_zcrm.emulator.probe.command import main

if __name__ == "__main__":
    sys.exit(main())

"""The parts of the LMDB store: its folder, its environment, its records, its clock."""

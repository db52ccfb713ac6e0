"""meddra-coder: finds the MedDRA term for a verbatim, or says why a person must."""

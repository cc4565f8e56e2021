"""Evidence: records, signatures, the log, the verdict, certificates and their offline verifier."""

"""SPFEM: speech-preserving facial expression editing (paper Eq. 1, 2 and 4)."""

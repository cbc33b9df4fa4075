"""Options of commands that run services: ``_options``, which the command ``torsion`` builds on."""

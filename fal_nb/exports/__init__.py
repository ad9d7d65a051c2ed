"""What leaves a sweep as files: contact sheets, tables, folders, boards that need no kernel."""

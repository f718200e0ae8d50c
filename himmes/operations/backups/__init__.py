"""Backups of the whole database in one file, made and read by the engines' own tools."""

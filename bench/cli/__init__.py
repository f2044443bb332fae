"""The commands: what each word of the command line does; they return what is shown, and print nothing on stdout.

Imports of everything but the choices wait until a command runs: `--help` answers at once.
"""

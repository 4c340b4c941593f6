# pytest looks for examples in every file; these are programs, and need cosmic-ray
collect_ignore = ["forks.py", "mutants.py", "mutate.py"]

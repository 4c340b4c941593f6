"""Files that whole lines are appended to: a log, a trace, a transcript, a recording."""

"""The dose board: subjects, levels, decisions, holds and follow-up of one study, from its facts at one moment.

Start at `board`. The modules are imported one by one, because a protocol carries the settings of `board.settings`.
"""

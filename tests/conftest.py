from hypothesis import settings

# A machine that is busy with something else is not a fault of ours.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

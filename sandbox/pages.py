from sandbox.wire import Answer


def report(store, path):
    return Answer(404)


def page(gate, path, query):
    return Answer(404)

"""What the schema says of the calls, kept beside the views so that those stay short."""

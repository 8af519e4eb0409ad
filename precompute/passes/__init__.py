"""The activation pass: shards of the text are counted apart, anywhere, then added up exactly."""

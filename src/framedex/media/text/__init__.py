"""Plain text, HTML, JSON, XML, Markdown and whatever else is text."""

"""What runs at a user's side: it imports nothing else of Framedex, so that its answers are a second opinion.

`frames` decodes exact frames of local videos and certifies them, `stills` certifies other kinds, `server` asks a
Framedex server. Needs av and numpy; Pillow, pydicom, nibabel and pypdfium2 for stills, httpx and cryptography to ask.
"""

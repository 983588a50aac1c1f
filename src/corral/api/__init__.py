"""The declarations: the file tree is the URL tree. `endpoints()` is all of them."""

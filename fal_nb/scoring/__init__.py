"""Numbers read off outputs: how sharp, bright and colourful a picture is, how like another one, how long a text is."""

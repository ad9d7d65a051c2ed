"""Texts that would like to be more than text."""

HTML = (
    '"><img src=x onerror="window.hostile = 1"></div><script>window.hostile = 2</script>'
    '<svg onload="window.hostile = 3"></svg><iframe srcdoc="<script>parent.hostile = 4</script>"></iframe>'
    '<img src="{bait}/img"><link rel=stylesheet href="{bait}/css"><style>@import "{bait}/import"</style>'
    '<a href="javascript:window.hostile = 5" autofocus onfocus="window.hostile = 6">x</a>'
)
ATTRIBUTE = '\' autofocus onfocus=\'alert(1)\' x="" onmouseover="alert(2)" style="background:url({bait}/style)"'
MARKDOWN = (
    "![x]({bait}/markdown) [click](javascript:alert(3)) <{bait}/auto> $\\href{javascript:alert(4)}{x}$ `</script>`"
)
TERMINAL = (
    "\x1b[31mred\x1b[0m \x1b]0;your title\x07\x1b[2J\x1b[1;1H\x1b]8;;{bait}/osc\x07link\x1b]8;;\x07"
    "\x1b]52;c;aGFja2Vk\x07\x1bP+q544e\x1b\\\x1b[?1049h\x1bc \x9b31m\x9d0;c1\x9c back\x08\x08\x08\x07 end"
)
BIDI = "invoice\u202egpj.exe \u2066\u202dmixed\u2069 \u061c\u200f"
HALVES = "half \ud800 a \udfff character, \ufeff mark, \u2028 line \u2029 end"
CONTROL = "nul \x00 bell \x07 delete \x7f next \x85 form \x0c tab \x0b"
FORMAT = "{0.__class__.__mro__} %s %n ${jndi:ldap://127.0.0.1/x} {{7*7}} #{7*7} `id` $(id) ; rm -rf ~"
LONG = "x" * 1_000_000
LONG_WORDS = "word " * 200_000
COMBINING = "Z" + "\u0301\u0335" * 5_000
SCRIPT_END = "</script></style></textarea></title></svg>--><script>window.hostile = 7</script>"
EVERYTHING = {
    "html": HTML, "attribute": ATTRIBUTE, "markdown": MARKDOWN, "terminal": TERMINAL, "bidi": BIDI, "halves": HALVES,
    "control": CONTROL, "format": FORMAT, "script end": SCRIPT_END, "combining": COMBINING,
}  # fmt: skip

"""What reading leaves out or changes, by name, and its limits."""

from corpus.tally import Rule

# Longer documents are cut, so that one file of any size fits into memory.
MAX_DOCUMENT_CHARS = 10_000_000
# Of a record: a line of JSON, a page of a dump or of the web.
MAX_RECORD_BYTES = 1 << 26
MAX_WEB_BYTES = 1 << 24
# What must be searched, not streamed, and lies in an archive, goes to a
# temporary file of at most this size.
MAX_SPOOLED_BYTES = 1 << 32
# Archives in archives, each packed or not.
MAX_LAYERS = 4

RULES: dict[str, Rule] = {
    "file_empty": Rule("file", "empty file", "空文件"),
    "file_not_text": Rule("file", "no text in it", "不是文本"),
    "file_form_unknown": Rule("file", "a form not known here", "格式未知"),
    "file_corrupt": Rule(
        "file", "corrupt or cut off from there on", "文件损坏或不完整"
    ),
    "file_encrypted": Rule("file", "wants a password", "需要密码"),
    "file_nested": Rule("file", "archives too deep", "压缩包嵌套过深"),
    "file_too_large": Rule("file", "too large inside", "内部文件过大"),
    "line_undecodable": Rule(
        "line", "in no known encoding", "无法解码", flag="encoding"
    ),
    "line_bytes_repaired": Rule(
        "line",
        "bytes that are no text",
        "去除非文本字节",
        drops=False,
    ),
    "line_recoded": Rule(
        "line",
        "in another encoding",
        "与文件编码不同",
        drops=False,
    ),
    "document_cut": Rule(
        "document", "cut, as it is too long", "过长而切开", drops=False
    ),
    "document_record_damaged": Rule(
        "document", "a record that cannot be read", "记录损坏"
    ),
    "document_record_too_long": Rule(
        "document", "a record beyond the limit", "记录超长"
    ),
    "document_record_without_text": Rule(
        "document", "a record without text", "记录中没有文本", flag="text_field"
    ),
    "document_page_redirect": Rule("document", "a redirect", "重定向页"),
    "document_page_not_article": Rule(
        "document", "a page that is no article", "非条目页面"
    ),
    "document_page_without_text": Rule(
        "document", "a page without text", "没有正文的页面"
    ),
    "document_web_not_text": Rule(
        "document", "a web record that is no page", "非网页记录"
    ),
}

import Migration
import Testing

@testable import crossfade

/// What stands in the account stays text, in each form.
@Suite("A report's text") struct EvidenceTextTests {
  @Test(
    "what is invisible or turns the line is shown by its code point",
    arguments: [
      ("plain ASCII, é, 漢字, 🙂", "plain ASCII, é, 漢字, 🙂"), ("a\u{202E}b", "a<U+202E>b"),
      ("a\u{0}b", "a<U+0000>b"),
      ("a\nb", "a<U+000A>b"), ("a\u{A0}b", "a<U+00A0>b"), ("a\u{E000}b", "a<U+E000>b"),
      ("\u{1B}[31m", "<U+001B>[31m"),
    ])
  func visible(_ text: String, _ shown: String) {
    #expect(VisibleText.make(text) == shown)
  }

  @Test("lines stay lines where they may") func lines() {
    #expect(VisibleText.make("a\n\tb\r", keepsLines: true) == "a\n\tb<U+000D>")
  }

  @Test(
    "HTML finds nothing in a text",
    arguments: [
      (
        "<script>alert(\"1\" & '2')</script>",
        "&lt;script&gt;alert(&quot;1&quot; &amp; &#39;2&#39;)&lt;/script&gt;"
      ),
      ("a<!--\nb-->", "a&lt;!--&lt;U+000A&gt;b--&gt;"),
    ])
  func html(_ text: String, _ escaped: String) {
    #expect(EvidenceHTML.escape(text) == escaped)
  }

  @Test(
    "Markdown finds nothing in a text, and what means nothing is left as it is",
    arguments: [
      ("public.transactions(state_id), 10:30", "public.transactions(state_id), 10:30"),
      ("<b>|`x`", "&lt;b&gt;\\|\\`x\\`"), ("_x_ *y* ~z~", "\\_x\\_ \\*y\\* \\~z\\~"),
      ("[a](http://b)", "\\[a\\](http&#58;//b)"), ("www.example.org", "www&#46;example.org"),
      ("ana@ops.example", "ana&#64;ops.example"), ("ana@ops", "ana@ops"), ("a\\|b", "a\\\\\\|b"),
    ])
  func markdown(_ text: String, _ escaped: String) {
    #expect(EvidenceMarkdown.inline(text) == escaped)
  }
}

/// How the HTML looks: one column of text, wide tables that scroll by themselves, A4 on paper.
enum EvidenceStyle {
  static let text = """
    :root {
      --paper: #fff; --ink: #1b1f24; --soft: #5a6470; --line: #d9dee4; --wash: #f5f7f9;
      --good: #14683a; --good-wash: #e6f4ec; --bad: #a3201d; --bad-wash: #fbe9e8;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --paper: #14171b; --ink: #e4e8ed; --soft: #9aa5b1; --line: #313840; --wash: #1c2026;
        --good: #7fd6a4; --good-wash: #16301f; --bad: #ff9d97; --bad-wash: #3a1a19;
      }
    }
    * { box-sizing: border-box; }
    html { -webkit-text-size-adjust: 100%; }
    body {
      margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 64rem; background: var(--paper); color: var(--ink);
      font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
    }
    h1 { margin: 0 0 .25rem; font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; }
    h2 { margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); font-size: 1.2rem; }
    h3 { margin: 0 0 .4rem; font-size: .95rem; font-weight: 600; display: flex; flex-wrap: wrap; gap: .75rem; }
    p { margin: 0 0 .75rem; max-width: 44rem; overflow-wrap: anywhere; }
    .eyebrow, .date { color: var(--soft); font-size: .9rem; margin: 0 0 .25rem; }
    .seal { margin-top: 1rem; padding: .6rem .9rem; border-radius: .4rem; max-width: none; }
    .seal.good, .mark.good { color: var(--good); background: var(--good-wash); }
    .seal.bad, .mark.bad { color: var(--bad); background: var(--bad-wash); }
    .mark { padding: 0 .5rem; border-radius: .75rem; background: var(--wash); font-size: .85em; white-space: nowrap; }
    .none { color: var(--soft); }
    nav { margin: 1.5rem 0 0; font-size: .9rem; }
    nav ol { margin: 0; padding-left: 1.4rem; columns: 3 14rem; }
    a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .2em; }
    a:hover { text-decoration-color: currentColor; }
    code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .85em; }
    code { overflow-wrap: anywhere; }
    pre {
      margin: .5rem 0 0; padding: .6rem .8rem; background: var(--wash); border-radius: .4rem; white-space: pre-wrap;
      overflow-wrap: anywhere; line-height: 1.45;
    }
    .caption { margin: 1.25rem 0 .25rem; color: var(--soft); font-size: .9rem; }
    dl { margin: 0 0 1rem; }
    dl > div { display: grid; grid-template-columns: minmax(8rem, 16rem) 1fr; gap: 1rem; padding: .25rem 0; }
    section > dl > div { border-bottom: 1px solid var(--line); }
    dt { color: var(--soft); }
    dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
    article { margin: 0 0 1rem; padding: .9rem 1rem; border: 1px solid var(--line); border-radius: .5rem; font-size: .9rem; }
    article dl { margin: 0; }
    article dl > div { padding: .05rem 0; grid-template-columns: 8rem 1fr; }
    .grid { overflow-x: auto; margin: 0 0 1rem; }
    table { border-collapse: collapse; width: 100%; font-size: .875rem; font-variant-numeric: tabular-nums; }
    th, td { padding: .4rem .75rem .4rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
    th { color: var(--soft); font-weight: 600; }
    td { overflow-wrap: break-word; max-width: 22rem; }
    td.number, th.number { text-align: right; }
    @media screen { pre { max-height: 22rem; overflow-y: auto; } }
    @page { size: A4; margin: 16mm 15mm; }
    @media print {
      :root {
        --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --wash: #f3f3f3;
        --good: #0b4d29; --good-wash: #fff; --bad: #8a1512; --bad-wash: #fff;
      }
      body { max-width: none; padding: 0; font-size: 9.5pt; }
      .seal, .mark { border: 1px solid currentColor; }
      .grid { overflow: visible; }
      table { font-size: 8pt; }
      th, td { padding-right: .5rem; }
      td { max-width: 55mm; }
      h2 { break-after: avoid; }
      h3, dl > div, tr, .seal { break-inside: avoid; }
      h3 { break-after: avoid; }
      thead { display: table-header-group; }
      nav { display: none; }
    }
    """
}

//! A ledger's rows as CSV that no spreadsheet takes for formulas, and as a page to print.

/// Beginnings that a spreadsheet takes for a formula, or that make it take what follows for one.
const FORMULA: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '|', '%', '＝', '＋', '－', '＠'];

/// What the page looks like on paper; the head of the table stands on every sheet.
pub const STYLE: &str = "@page{size:A4 landscape;margin:8mm}\
body{font:8px/1.35 'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',SimSun,sans-serif;margin:0;color:#000}\
h1{font-size:14px;text-align:center;margin:4px 0 8px}\
table{border-collapse:collapse;width:100%;table-layout:fixed}\
thead{display:table-header-group}tr{break-inside:avoid}\
th,td{border:1px solid #000;padding:1px 2px;vertical-align:top;text-align:left;overflow-wrap:anywhere;white-space:pre-line}\
th{background:#eee;font-weight:600}";

/// What ends the page.
pub const HTML_END: &str = "</tbody></table></body></html>\n";

/// Whether a cell would be taken for a formula, with or without the apostrophes in front of it.
fn is_formula(cell: &str) -> bool {
    cell.trim_start_matches('\'').starts_with(FORMULA)
}

/// A cell with an apostrophe in front where a spreadsheet would calculate it.
fn guarded(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// A cell without the apostrophe that `csv_line` gave it.
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// One line of CSV, ended as spreadsheets expect it.
pub fn csv_line<'c>(cells: impl IntoIterator<Item = &'c str>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    let written = writer.write_record(cells.into_iter().map(guarded));
    written.and_then(|()| Ok(writer.flush()?)).expect("writing to memory does not fail");
    writer.into_inner().expect("writing to memory does not fail")
}

/// The page up to the first row.
pub fn html_head(title: &str, titles: &[&str]) -> String {
    let title = escaped(title);
    let heads: Vec<_> =
        titles.iter().map(|title| format!("<th scope=\"col\">{}</th>", escaped(title))).collect();
    let heads = heads.concat();
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style>\
         </head><body><h1>{title}</h1><table><thead><tr>{heads}</tr></thead><tbody>\n"
    )
}

/// A row of the page.
pub fn html_row(cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
    format!("<tr>{}</tr>\n", cells.concat())
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut page, character| {
        match character {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            _ => page.push(character),
        }
        page
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_a_spreadsheet_would_calculate_is_guarded_and_comes_back_as_it_was() {
        for cell in [
            "=1+1", "+86 139", "-5", "@SUM(A1)", "\tx", "\rx", "'=1", "''=1", "'plain", "路面", "", "a=b",
            "'",
        ] {
            let line = csv_line([cell, "x"]);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.as_slice());
            let record = reader.records().next().expect("a line").expect("CSV");
            let read = record.get(0).expect("a cell");
            assert!(!read.starts_with(FORMULA), "{cell:?}");
            assert_eq!(unguarded(read), cell, "{cell:?}");
        }
        assert_eq!(csv_line(["=1", "a\"b", "c,d"]), b"'=1,\"a\"\"b\",\"c,d\"\r\n");
    }

    #[test]
    fn a_page_holds_text_and_no_markup_of_others() {
        let cells = ["<script>alert(1)</script>".to_owned(), "a & \"b\" 'c'".to_owned()];
        assert_eq!(
            html_row(&cells),
            "<tr><td>&lt;script&gt;alert(1)&lt;/script&gt;</td><td>a &amp; &quot;b&quot; &#39;c&#39;</td></tr>\n"
        );
        assert!(html_head("<b>", &["序号"]).contains("<title>&lt;b&gt;</title>"));
    }
}

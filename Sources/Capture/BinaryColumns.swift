import PGOutput
package import Postgres

/// Whether the columns a slot publishes can be read where their values come in binary form.
package struct BinaryColumns {
  package var columns: [TableColumn]

  package init(_ columns: [TableColumn]) {
    self.columns = columns
  }

  /// The first column that cannot be read. A type without a send function is sent as text, and can.
  package var unreadable: TableColumn? {
    columns.first { column in
      column.sendFunction.map { BinaryForm(sendFunction: $0) == nil } ?? false
    }
  }
}

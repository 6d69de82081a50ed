extension JSONWriter {
  /// A change as an object: `{"op":"update","relation":"public.t","key":{...},"new":{...},"unchanged":[...]}`.
  mutating func change(_ content: Change.Content) {
    switch content {
    case .row(let row, let relation): self.row(row, relation)
    case .truncate(let truncate, let relations): self.truncate(truncate, relations)
    case .message(let message):
      beginObject()
      key("op")
      string("message")
      members(of: message)
      endObject()
    }
  }

  /// A message's members, without the braces.
  mutating func members(of message: LogicalMessage) {
    key("transactional")
    boolean(message.isTransactional)
    key("lsn")
    string(message.lsn.description)
    key("prefix")
    text(message.prefix)
    key("content")
    text(message.content)
  }

  private mutating func row(_ row: RowChange, _ relation: Relation) {
    beginObject()
    key("op")
    switch row.kind {
    case .insert: string("insert")
    case .update: string("update")
    case .delete: string("delete")
    }
    key("relation")
    string(relation.qualifiedName)
    if let old = row.old {
      key(row.oldKind == .key ? "key" : "old")
      columns(old, relation, keyOnly: row.oldKind == .key)
    }
    if let new = row.new {
      key("new")
      columns(new, relation, keyOnly: false)
      unchanged(new, relation)
    }
    endObject()
  }

  /// The columns that have a value or are NULL. Of a key tuple only the key: its other columns say nothing.
  private mutating func columns(_ tuple: TupleView, _ relation: Relation, keyOnly: Bool) {
    beginObject()
    var cursor = tuple.columns
    for column in relation.columns {
      guard let value = cursor.next() else { break }
      if keyOnly && !column.isKey { continue }
      switch value {
      case .unchanged: continue
      case .null:
        key(column.name)
        null()
      case .text(let bytes):
        key(column.name)
        text(bytes)
      case .binary(let bytes):
        key(column.name)
        base64(bytes)
      }
    }
    endObject()
  }

  private mutating func unchanged(_ tuple: TupleView, _ relation: Relation) {
    var isOpen = false
    var cursor = tuple.columns
    for column in relation.columns {
      guard let value = cursor.next() else { break }
      guard value.isUnchanged else { continue }
      if !isOpen {
        key("unchanged")
        beginArray()
        isOpen = true
      }
      string(column.name)
    }
    if isOpen { endArray() }
  }

  private mutating func truncate(_ truncate: Truncate, _ relations: [Relation]) {
    beginObject()
    key("op")
    string("truncate")
    if let first = relations.first {
      key("relation")
      string(first.qualifiedName)
    }
    key("relations")
    beginArray()
    for relation in relations { string(relation.qualifiedName) }
    endArray()
    key("cascade")
    boolean(truncate.isCascade)
    key("restart_identity")
    boolean(truncate.restartsIdentity)
    endObject()
  }
}

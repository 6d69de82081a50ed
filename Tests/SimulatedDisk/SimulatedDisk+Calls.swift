package import ChangeLog
import Glibc
import Synchronization

extension SimulatedDisk {
  /// The calls of a process that uses this disk.
  package var calls: FileCalls {
    var calls = FileCalls.system
    calls.open = { [self] path, flags, mode in open(path, flags, mode) }
    calls.write = { [self] descriptor, bytes, count, offset in write(descriptor, bytes, count, offset) }
    calls.truncate = { [self] descriptor, size in
      change("truncate") {
        ftruncate(descriptor, size)
      } note: { state, _ in
        if let node = state.descriptors[descriptor] { state.note(.truncate(node, size: size)) }
      }
    }
    calls.syncData = { [self] in sync($0) { .syncData($0, succeeded: $1) } }
    calls.syncDirectory = { [self] in sync($0) { .syncNames($0, succeeded: $1) } }
    calls.rename = { [self] from, to in
      change("rename \(from)") {
        Glibc.rename(from, to)
      } note: { [old = name(from), new = name(to)] state, _ in
        guard let parent = state.live.node(old.parent) else { return }
        state.note(.rename(old.last, to: new.last, in: parent))
      }
    }
    calls.unlink = { [self] path in
      change("unlink \(path)") {
        Glibc.unlink(path)
      } note: { [name = name(path)] state, _ in
        if let parent = state.live.node(name.parent) { state.note(.remove(name.last, in: parent)) }
      }
    }
    calls.makeDirectory = { [self] path, mode in
      change("mkdir \(path)") {
        mkdir(path, mode)
      } note: { [name = name(path)] state, _ in
        state.make(name, isDirectory: true)
      }
    }
    return calls
  }

  private func open(_ path: String, _ flags: Int32, _ mode: UInt32) -> Int32 {
    change("open \(path)") {
      Glibc.open(path, flags, mode)
    } note: { [name = name(path)] state, opened in
      if let node = state.live.node(name.all) {
        if flags & O_TRUNC != 0 { state.note(.truncate(node, size: 0)) }
      } else {
        state.make(name, isDirectory: false)
      }
      state.descriptors[opened] = state.live.node(name.all)
    }
  }

  private func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int, _ offset: Int) -> Int {
    carryOut("write") { state, fault in
      if fault == .fails(EINTR) { return (-1, EINTR) }
      let put = pwrite(descriptor, bytes, fault == nil ? count : max(count / 2, 1), offset)
      var code = errno
      if put > 0, let node = state.descriptors[descriptor] {
        let written = Array(UnsafeRawBufferPointer(start: bytes, count: put))
        state.note(.write(node, offset: offset, bytes: written))
      }
      switch fault {
      case nil, .short?: return (put, code)
      case .death?: code = EIO
      case .fails(let given)?: code = given
      }
      return (-1, code)
    }
  }

  /// Nothing is synced for real: what may be lost is decided by the journal.
  private func sync(_ descriptor: Int32, _ event: (NodeID, Bool) -> DiskEvent) -> Int32 {
    Int32(
      carryOut("sync") { state, fault in
        let succeeded = fault == nil || fault == .short
        var code = EIO
        if case .fails(let given)? = fault { code = given }
        if fault != .death, code != EINTR, let node = state.descriptors[descriptor] {
          state.note(event(node, succeeded))
        }
        return (succeeded ? 0 : -1, code)
      })
  }

  /// A call that is carried out whole, or not at all.
  private func change(
    _ name: @autoclosure () -> String, _ call: () -> Int32, note: (inout State, Int32) -> Void
  ) -> Int32 {
    Int32(
      carryOut(name()) { state, fault in
        switch fault {
        case .fails(let code)?: return (-1, code)
        case .death?: return (-1, EIO)
        case .short?, nil: break
        }
        let result = call()
        let code = errno
        if result >= 0 { note(&state, result) }
        return (Int(result), code)
      })
  }

  private func carryOut(
    _ name: @autoclosure () -> String, _ call: (inout State, DiskFault?) -> (result: Int, errno: Int32)
  ) -> Int {
    let (result, code) = state.withLock { state -> (Int, Int32) in
      defer { state.calls += 1 }
      if state.isDead { return (-1, EIO) }
      let fault = state.faults[state.calls]
      state.isDead = fault == .death
      if fault != nil, state.failedCall == nil {
        state.momentOfFault = state.journal.count
        state.failedCall = name()
      }
      return call(&state, fault)
    }
    if result < 0 { errno = code }
    return result
  }

  /// A path below the disk's root.
  struct Name {
    var all: [String]
    var parent: [String] { Array(all.dropLast()) }
    var last: String { all.last ?? "" }
  }

  private func name(_ path: String) -> Name {
    var names: [String] = []
    for part in path.dropFirst(self.path.count).split(separator: "/") {
      if part == ".." { names.removeLast() } else if part != "." { names.append(String(part)) }
    }
    return Name(all: names)
  }
}

extension SimulatedDisk.State {
  mutating func make(_ name: SimulatedDisk.Name, isDirectory: Bool) {
    guard let parent = live.node(name.parent) else { return }
    note(.make(live.nextNode, name: name.last, in: parent, isDirectory: isDirectory))
  }
}

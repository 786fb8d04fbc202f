import AliasFile

/// A file such as /etc/aliases, or a database that newaliases did not write: any bytes are entries or a flaw, and what
/// is written is what is read.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAliases(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let file = AliasFile(bytes)
    for entry in file.entries {
        if entry.name.isEmpty || entry.targets.isEmpty { fatalError("an entry is nothing") }
        if AliasTarget.decoded(AliasTarget.encoded(entry.targets)) != entry.targets {
            fatalError("a target changes on its way")
        }
    }
    for flaw in file.flaws {
        if flaw.line < 1 { fatalError("a flaw is nowhere") }
        if flaw.words.contains(where: { $0 < 32 }) { fatalError("a flaw is two lines") }
    }
    if let targets = AliasTarget.decoded(bytes) {
        let again = AliasTarget.decoded(AliasTarget.encoded(targets))
        if again != targets { fatalError("a target changes on its way") }
    }
    return 0
}

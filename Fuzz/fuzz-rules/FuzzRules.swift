import ByteText
import ConnectionRules

/// Rules files and clients: every text is rules or a flaw with a place, and every rule can be found.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRules(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let fields = bytes.split(separator: 0, maxSplits: 3, omittingEmptySubsequences: false)
    let client = Client(
        address: Array(fields[0]), host: fields.count > 2 ? Array(fields[1]) : nil,
        info: fields.count > 3 ? Array(fields[2]) : nil)
    guard client.keys.last == [], client.keys.count <= 200 + 2 * size else {
        fatalError("a client that is not looked up by the empty key")
    }
    do throws(RuleFlaw) {
        let rules = try RuleParser.rules(Array(fields[fields.count - 1]))
        for rule in rules {
            guard !rule.keys.isEmpty, rule.keys.count <= 256 else { fatalError("keys") }
            guard rule.data.isEmpty || rule.data.last == 0 else { fatalError("an open item") }
            for key in rule.keys where !key.contains(UInt8(ascii: "@")) {
                // An address that is a key finds its own rule.
                if let address = IPAddress(key),
                    Client(address: address.text).rule(of: [rule])?.key != key
                {
                    fatalError("a rule that its own client does not find")
                }
            }
            _ = Decision(rule.data)
        }
        if let found = client.rule(of: rules), !found.rule.keys.contains(found.key) {
            fatalError("found by a key that the rule does not have")
        }
    } catch {
        guard error.line > 0, error.column > 0, error.column <= error.text.count + 1,
            !error.expected.isEmpty
        else { fatalError("a flaw without a place") }
    }
    _ = Decision(bytes)
    return 0
}

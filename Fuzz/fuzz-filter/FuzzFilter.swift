import ByteText
import Filter

/// Files of rules and messages: every text is rules or a flaw, rules are stored as they were read, and no message that
/// begins otherwise has the queue's verdict.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFilter(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let fields = bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
    let message = Array(fields[fields.count - 1])
    let header = MessageHeader(message)
    let address = FilterAddress(local: message, domain: Array(fields[0]))
    let slashes = address.path.count(where: { $0 == UInt8(ascii: "/") })
    guard slashes == 1, address.path.range(of: "/.") == nil,
        address.path.first != UInt8(ascii: "."), !address.path.contains(0)
    else { fatalError("a path that leaves its folder") }
    if !message.starts(with: "X-") && !message.starts(with: "x-"),
        !message.startsIgnoringCase(with: "Return-Path"),
        !message.startsIgnoringCase(with: "Delivered-To")
    {
        guard header.values([UInt8]("X-QHPSI")).isEmpty, !header.isReleased else {
            fatalError("a forged verdict")
        }
    }
    do throws(RuleFileFlaw) {
        let rules = try FilterRule.rules(Array(fields[0]))
        let question = FilterQuestion(
            recipient: [UInt8]("bob@test.example"), sender: [], addressBook: [])
        var text: [UInt8] = []
        for rule in rules {
            _ = rule.matches(header, question)
            text += rule.line + [10]
        }
        guard try FilterRule.rules(text) == rules else { fatalError("rules that changed") }
    } catch {
        let isNamed = error.line > 0 && !error.flaw.expected.isEmpty
        guard isNamed else { fatalError("a flaw without a place") }
    }
    do throws(FilterFlaw) {
        let address = try FilterAddress(Array(fields[0]))
        guard try FilterAddress(address.text) == address else { fatalError("another address") }
    } catch {
        guard !error.text.contains(10) else { fatalError("a flaw of two lines") }
    }
    return 0
}

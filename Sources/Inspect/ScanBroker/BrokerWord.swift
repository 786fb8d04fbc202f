import ByteText
import ScanHost
import ScanProtocol
import ScanWire

extension ScanAnswer {
    /// What came from the broker.
    init(_ answer: BrokerAnswer) { self.init(answer.report, code: answer.code) }

    /// What the broker says of it.
    var encoded: [UInt8] { BrokerAnswer(report, code: code).encoded }

    /// The answer when the message has changed while it was scanned.
    static var changed: ScanAnswer {
        let reason = [UInt8]("the message has changed while it was scanned")
        return ScanAnswer(.failed(reason: reason), scanner: [UInt8]("qhpsid"))
    }
}

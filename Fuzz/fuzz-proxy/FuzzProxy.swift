import ByteText
import ProxyProtocol

/// A proxy's header, cut in any way: the same end, nothing taken beyond it, and never more than the limit.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzProxy(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    var whole = ProxyHeader()
    let taken = whole.take(bytes)
    guard taken <= bytes.count, taken <= ProxyHeader.limit else { fatalError("too much taken") }
    if whole.progress == .incomplete, taken != bytes.count { fatalError("too little taken") }
    let piece = bytes.isEmpty ? 1 : Int(bytes[bytes.count - 1] % 7) + 1
    var cut = ProxyHeader()
    var next = 0
    while next < bytes.count, cut.progress == .incomplete {
        next += cut.take(Array(bytes[next..<min(bytes.count, next + piece)]))
    }
    guard next == taken, cut.progress == whole.progress else { fatalError("pieces matter") }
    if case .complete(.relayed(let client, let server)) = whole.progress {
        guard IPAddress(client.address.text) == client.address,
            IPAddress(server.address.text) == server.address
        else { fatalError("an address without its text") }
    }
    return 0
}

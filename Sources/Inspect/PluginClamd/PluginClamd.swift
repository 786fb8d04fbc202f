import ByteText
public import CScanPlugin
import ClamdClient
import Posix
import ScanPlugin
import ScanProtocol

/// The plugin clamd.so, called as qhpsi_plugin(3) says; see qhpsi-clamd(7).
@_cdecl("virusscan_v1")
public func virusscan(
    _ message: UnsafePointer<qhpsi_message>, _ result: UnsafeMutablePointer<qhpsi_result>
) -> Int32 {
    let file = FileDescriptor(adopting: message.pointee.descriptor)
    let report = scan(file, milliseconds: Int(message.pointee.milliseconds))
    _ = file.release()  // It is the host's.
    return PluginAnswer.give(report.verdict, by: report.scanner, into: &result.pointee)
}

private func scan(_ file: borrowing FileDescriptor, milliseconds: Int) -> ScanReport {
    let environment = Environment.current
    return ClamdClient.report(
        on: file, environment, root: environment["QHPSI_ROOT"] ?? [], milliseconds: milliseconds)
}

/// The same for a host that knows the old entry point only, which gives a path.
@_cdecl("virusscan")
public func virusscan(_ path: UnsafePointer<CChar>) -> Int32 {
    PluginAnswer.give(toPath: path) { file in scan(file, milliseconds: 120_000).verdict }
}

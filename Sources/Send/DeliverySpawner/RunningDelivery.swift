import Posix

/// A delivery whose program runs.
final class RunningDelivery {
    let job: DeliveryJob
    let child: Child
    /// When its output is looked at before its end: most programs are over by then.
    let patience: Deadline
    private let source: FileDescriptor
    private(set) var isSilent = false
    private(set) var output: [UInt8] = []

    private static let patienceMilliseconds = 100

    /// The source is the end of a pipe that is read, and never waits.
    init(_ job: DeliveryJob, _ child: Child, output source: consuming FileDescriptor) {
        self.job = job
        self.child = child
        self.source = source
        patience = Deadline(milliseconds: Self.patienceMilliseconds)
    }

    /// The descriptor to wait for.
    var number: Int32 { source.rawValue }

    /// Take what there is of its output; what is more than a report holds is dropped.
    func readOutput(_ buffer: inout [UInt8]) {
        do throws(Errno) {
            while !isSilent {
                let count = try source.read(into: &buffer)
                if count == 0 { isSilent = true }
                let room = JobReport.textLimit - output.count
                output.append(contentsOf: buffer.prefix(min(count, room)))
                if count < buffer.count { return }
            }
        } catch {
            // What is not there yet may come; any other failure ends the output.
            if error != .wouldBlock { isSilent = true }
        }
    }
}

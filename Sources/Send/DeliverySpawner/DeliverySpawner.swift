import ByteText
package import Posix

/// The loop of qmail-lspawn(8) and qmail-rspawn(8): jobs on one descriptor, a program for each, reports on another.
///
/// It waits for nobody but all of them together, and however slowly its reports are read, it keeps them all.
package final class DeliverySpawner {
    /// What becomes of a job.
    package enum Start {
        /// The program of this delivery.
        case program(Launch)
        /// There is nothing to run.
        case report(JobReport)
    }

    /// Says what becomes of a job.
    ///
    /// The message, opened at its start, and the place for the output are numbers for `Launch.descriptors`; both stay
    /// the spawner's.
    package typealias Starter = (_ job: DeliveryJob, _ message: Int32, _ output: Int32) -> Start
    /// Makes a report of the exit code of a job's program and what it wrote, at most `JobReport.textLimit` bytes.
    package typealias Folder = (_ job: DeliveryJob, _ code: Int32, _ output: [UInt8]) -> JobReport

    /// More deliveries at once there cannot be: the limit is told in one byte.
    package static let mostDeliveries = 255

    private let name: [UInt8]
    private let limit: Int
    private let owner: UInt32?
    private let start: Starter
    private let fold: Folder
    private var jobs: FileDescriptor?
    private let reports: FileDescriptor
    private var reader = JobReader()
    private var running: [RunningDelivery] = []
    /// Frames that are not written yet.
    private var waiting: [UInt8] = []
    private var written = 0
    private var isUnheard = false
    private var buffer = [UInt8](repeating: 0, count: 4096)

    /// Bytes of reports that nobody has read at which no more jobs are read.
    private static let mostWaiting = 1 << 20
    /// The most bytes of a write into a pipe that can be written to that does not wait; see pipe(7), PIPE_BUF.
    private static let pieceSize = 4096

    /// A spawner, which owns its two descriptors.
    ///
    /// - Parameters:
    ///   - name: The program's, for what it tells on descriptor 2.
    ///   - jobs: Where jobs come from.
    ///   - reports: Where reports go.
    ///   - limit: How many deliveries run at once, at most `mostDeliveries`.
    ///   - owner: Whom message files belong to; nil: anybody.
    ///   - start: Says what becomes of a job.
    ///   - fold: Makes the report of a program that has ended by itself.
    package init(
        _ name: StaticString, jobs: consuming FileDescriptor, reports: consuming FileDescriptor,
        limit: Int, owner: UInt32?, start: @escaping Starter, fold: @escaping Folder
    ) {
        self.name = [UInt8](name)
        self.jobs = consume jobs
        self.reports = reports
        self.limit = max(1, min(limit, Self.mostDeliveries))
        self.owner = owner
        self.start = start
        self.fold = fold
    }

    /// Tell the limit, and deliver until the jobs end and the last report is written.
    ///
    /// It blocks SIGCHLD, which it takes from a queue, and ignores SIGPIPE.
    ///
    /// - Returns: Whether all reports were heard.
    /// - Throws: When it can wait for nothing, for want of memory; its children go on.
    package func run() throws(Errno) -> Bool {
        Signal.brokenPipe.ignore()
        let signals = try Signal.queue([.childEnded])
        waiting = [UInt8(truncatingIfNeeded: limit)]
        while jobs.number != nil || !running.isEmpty || !waiting.isEmpty {
            try step(signals)
        }
        return !isUnheard
    }

    /// Wait for the next event and do what it asks for.
    private func step(_ signals: borrowing FileDescriptor) throws(Errno) {
        var wanted = [(fd: signals.rawValue, interest: Polling.Interest.readable)]
        if !waiting.isEmpty { wanted.append((reports.rawValue, .writable)) }
        let first = wanted.count
        var next: Deadline?
        var talking: [RunningDelivery] = []
        for delivery in running where !delivery.isSilent {
            if delivery.patience.hasPassed {
                wanted.append((delivery.number, .readable))
                talking.append(delivery)
            } else if next == nil || delivery.patience.at < next?.at ?? 0 {
                next = delivery.patience
            }
        }
        let last = wanted.count
        if waiting.count < Self.mostWaiting, let number = jobs.number {
            wanted.append((number, .readable))
        }
        for i in try Polling.waitForSome(wanted, until: next) {
            if i == 0 {
                try endDeliveries(signals)
            } else if i < first {
                writeReports()
            } else if i < last {
                talking[i - first].readOutput(&buffer)
            } else {
                readJobs()
            }
        }
    }

    // MARK: - Jobs

    private func readJobs() {
        var count = 0
        do throws(Errno) {
            count = try jobs?.read(into: &buffer) ?? 0
        } catch {
            if error == .wouldBlock { return }
            tell("unable to read jobs: ", error.text)
        }
        if count == 0 {
            if reader.isInside { tell("the jobs ended within one", []) }
            jobs = nil
            return
        }
        if isAbandoned {
            // Who starts again may have these delivered while we come to them, and their numbers may be others' then.
            jobs = nil
            return
        }
        for event in reader.read(buffer[..<count]) {
            switch event {
            case .job(let job): begin(job)
            case .refused(let number, let report): add(report, number)
            }
        }
    }

    /// Whether qmail-send is gone, so that nobody hears reports.
    private var isAbandoned: Bool {
        do throws(Errno) {
            let now = Deadline(milliseconds: 0)
            return try Polling.wait(for: reports.rawValue, .hangUp, until: now)
        } catch {
            return false  // For want of memory; then it is found out when reports are written.
        }
    }

    private func begin(_ job: DeliveryJob) {
        if running.contains(where: { $0.job.number == job.number }) {
            tell("a delivery's number is in use: ", [UInt8](decimal: job.number))
            return add(
                JobReport(.deferral, "The delivery's number is in use. (#4.3.5)"), job.number)
        }
        guard running.count < limit else {
            return add(JobReport(.deferral, "Too many deliveries at once. (#4.3.2)"), job.number)
        }
        do throws(MessFile.Refusal) {
            let message = try MessFile.open(job.mess, owner: owner)
            begin(job, message)
        } catch {
            add(error.report, job.number)
        }
    }

    private func begin(_ job: DeliveryJob, _ message: borrowing FileDescriptor) {
        do throws(Errno) {
            let pipe = try Pipe()
            try pipe.reading.setNonBlocking(true)
            switch start(job, message.rawValue, pipe.writing.rawValue) {
            case .report(let report): add(report, job.number)
            case .program(let launch):
                let child = try launch.startAside()
                running.append(RunningDelivery(job, child, output: pipe.keepReading()))
            }
        } catch {
            add(Self.noStart(error), job.number)
        }
    }

    // MARK: - Reports

    private func endDeliveries(_ signals: borrowing FileDescriptor) throws(Errno) {
        // Another one makes the descriptor readable again.
        _ = try signals.nextSignal()
        while let (child, status) = Child.nextEnded() {
            guard let i = running.firstIndex(where: { $0.child.identifier == child.identifier })
            else { continue }
            let delivery = running[i]
            running.swapAt(i, running.count - 1)
            running.removeLast()
            // All that the program itself wrote is in the pipe; what it left running may write for ever.
            delivery.readOutput(&buffer)
            add(report(of: delivery, child, Child.ending(status: status)), delivery.job.number)
        }
    }

    private func report(
        of delivery: RunningDelivery, _ child: Child, _ ending: Child.Ending
    ) -> JobReport {
        if let reason = child.reasonOfNoStart { return Self.noStart(reason) }
        switch ending {
        case .exited(let code): return fold(delivery.job, code, delivery.output)
        case .killed(let signal):
            return JobReport(
                .deferral,
                [UInt8]("The delivery's program was ended by signal ") + [UInt8](decimal: signal)
                    + [UInt8](". (#4.3.0)"))
        }
    }

    private static func noStart(_ reason: Errno) -> JobReport {
        JobReport(
            .deferral,
            [UInt8]("Unable to start the delivery's program: ") + reason.text
                + [UInt8](". (#4.3.0)"))
    }

    private func add(_ report: JobReport, _ number: UInt16) {
        if !isUnheard { waiting += report.frame(number) }
    }

    /// Write as much as does not have to wait.
    private func writeReports() {
        do throws(Errno) {
            let end = min(waiting.count, written + Self.pieceSize)
            written += try reports.write(once: waiting.span.bytes.extracting(written..<end))
            if written == waiting.count {
                waiting.removeAll(keepingCapacity: true)
                written = 0
            }
        } catch {
            if error == .wouldBlock { return }
            // Without qmail-send there are no more jobs; those that run are not disturbed.
            tell("unable to write reports: ", error.text)
            isUnheard = true
            waiting = []
            written = 0
            jobs = nil
        }
    }

    private func tell(_ what: StaticString, _ reason: [UInt8]) {
        FileDescriptor.tell(name + [UInt8](": ") + [UInt8](what) + reason + [10], on: 2)
    }
}

extension Optional where Wrapped == FileDescriptor {
    /// The number of the descriptor, nil when it is closed.
    fileprivate var number: Int32? {
        switch self {
        case .some(let descriptor): descriptor.rawValue
        case .none: nil
        }
    }
}

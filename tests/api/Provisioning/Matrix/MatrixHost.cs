using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace ManagedServers.Tests.Provisioning.Matrix;

/// <summary>One host on which workflows run while things break, and what it looks like when all is well.</summary>
internal sealed class MatrixHost(RegisteredHost host) : IAsyncDisposable
{
    private const int MostRetries = 4;

    // What stands for itself: names, modes and owners, running containers, images, what starts the agent, and how many agents there are.
    // What programs write while they run is left out, and which configurations they are: the current one and the one before it.
    private const string Look =
        """
        cd /var/lib/managed-servers 2> /dev/null && find . \( -path '*/data/*' -o -path '*/run/*' -o -path './tap/*' -o -path './monitor/*' -o -path './agent/spool*' \
            -o -name '*.lock' -o -name 'agent.log*' -o -name __pycache__ \) -prune -o -printf '%P %m %U\n' | sed 's/[0-9a-f]\{16\}/DIGEST/' | sort -u
        docker ps -a --format '{{.Names}} {{.State}}' | sort
        docker images --format '{{.Repository}}:{{.Tag}}' | sort
        crontab -l 2> /dev/null
        echo "$(pgrep -fc 'agent[.]py run') agents"
        """;

    private readonly Dictionary<HostState, string> wanted = [];
    private readonly NpgsqlDataSource database = NpgsqlDataSource.Create(host.Product.ConnectionString);

    /// <summary>Once around, with nothing broken: what each state looks like, and the steps of each workflow.</summary>
    public async Task<IReadOnlyDictionary<string, IReadOnlyList<string>>> Learn()
    {
        var steps = new Dictionary<string, IReadOnlyList<string>>();
        wanted[HostState.Bare] = await host.Lab.Run(Look);
        foreach (var row in MatrixRow.All)
        {
            var run = await Ends(row, await row.Start(host));
            Assert.True(RegisteredHost.State(run) == "succeeded", RegisteredHost.Story(run));
            steps[row.Kind] = [.. run.GetProperty("steps").EnumerateArray().Select(s => s.GetProperty("name").GetString()!)];
            if (wanted.TryAdd(row.To, ""))
            {
                wanted[row.To] = await host.Lab.Run(Look);
            }
            else
            {
                await LooksAs(row.To, $"{row.Kind} without a fault");
            }
        }

        return steps;
    }

    /// <summary>One run with these faults, each when its step (from 1) begins; carried on by an operator until it has succeeded.</summary>
    public async Task Run(MatrixRow row, IReadOnlyList<string> steps, IReadOnlyList<(int Step, Fault Fault)> faults, List<MatrixCell> cells)
    {
        var id = await row.Start(host);
        foreach (var (step, fault) in faults)
        {
            var story = new List<string>();
            var watch = Stopwatch.StartNew();
            while (!await Reaches(row, id, step))
            {
                if (RegisteredHost.State(await host.Run(id)) == "succeeded")
                {
                    story.Add("over before");
                    break;
                }

                id = await CarryOn(row, id, story);
            }

            watch.Restart();
            await host.Inject(fault);
            await Settled(row, id, step);
            if (RegisteredHost.State(await host.Run(id)) is "paused" or "failed")
            {
                id = await CarryOn(row, id, story);
            }

            cells.Add(new MatrixCell(row.Kind, steps[step - 1], fault, story.Count == 0 ? "went on by itself" : string.Join("; ", story), watch.Elapsed.TotalSeconds));
        }

        var run = await Ends(row, id);
        for (var retries = 0; RegisteredHost.State(run) != "succeeded"; retries++)
        {
            Assert.True(retries < MostRetries, RegisteredHost.Story(run));
            id = await CarryOn(row, id, []);
            run = await Ends(row, id);
        }

        await LooksAs(row.To, RegisteredHost.Story(run));
    }

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    /// <summary>A run that stands says why; one that gave up has taken everything back. Then an operator retries it, or starts it anew where nothing is left to retry.</summary>
    private async Task<Guid> CarryOn(MatrixRow row, Guid id, List<string> story)
    {
        var run = await host.Run(id);
        Assert.True(RegisteredHost.State(run) is "paused" or "failed" && RegisteredHost.Reason(run).Length > 0, RegisteredHost.Story(run));
        if (RegisteredHost.State(run) == "failed")
        {
            await LooksAs(row.From, RegisteredHost.Story(run));
        }

        using var admin = host.Product.Admin();
        var (status, _) = await admin.PostAsJsonAsync($"/api/v2/runs/{id}/retry", new { reason = "the matrix" }).Answer();
        story.Add($"{RegisteredHost.State(run)}, {(status == HttpStatusCode.Accepted ? "retried" : "started anew")}: {RegisteredHost.Reason(run)}");
        return status == HttpStatusCode.Accepted ? id : await row.Start(host);
    }

    private async Task<JsonElement> Ends(MatrixRow row, Guid id)
    {
        await ProductProcess.Until(async () =>
        {
            var (state, _, _) = await At(id);
            await Approve(row, id, state);
            return IsOver(state);
        }, $"the run of {row.Kind} ends", TimeSpan.FromMinutes(4));
        return await host.Run(id);
    }

    private async Task Approve(MatrixRow row, Guid id, string state)
    {
        if (row.Approval is { } step && state == "waiting")
        {
            await host.Post($"/api/v2/runs/{id}/steps/{step}/approve", new { reason = "the matrix" });
        }
    }

    private static bool IsOver(string state) => state is "paused" or "failed" or "succeeded" or "cancelled";

    private async Task LooksAs(HostState state, string story)
    {
        var found = "";
        try
        {
            await ProductProcess.Until(async () => (found = (await host.Lab.TryRun(Look)).Text.TrimEnd('\n')) == wanted[state], "it looks as it should", TimeSpan.FromSeconds(60));
        }
        catch (TimeoutException)
        {
            var docker = (await host.Lab.TryRun("grep -v level=info /var/log/docker.log | tail -n 40")).Text;
            Assert.Fail($"The host does not look {state}.\n--- wanted\n{wanted[state]}\n--- found\n{found}\n--- {story}\n--- Docker says\n{docker}");
        }
    }

    /// <summary>Looks into the journal itself, often: steps take some milliseconds. False when the run stands or has ended before.</summary>
    private async Task<bool> Reaches(MatrixRow row, Guid id, int step)
    {
        while (true)
        {
            var (state, cursor, direction) = await At(id);
            if (IsOver(state))
            {
                return false;
            }

            if (state is "running" or "waiting" && direction > 0 && cursor >= step)
            {
                return true;
            }

            await Approve(row, id, state);

            await Task.Delay(3);
        }
    }

    /// <summary>The step is over, or the run stands: what comes next has nothing to do with the fault.</summary>
    private async Task Settled(MatrixRow row, Guid id, int step) => await ProductProcess.Until(async () =>
    {
        var (state, cursor, direction) = await At(id);
        await Approve(row, id, state);
        return IsOver(state) || (direction > 0 && cursor > step);
    }, "the step is over", TimeSpan.FromMinutes(3));

    private async Task<(string State, int Cursor, int Direction)> At(Guid id)
    {
        await using var ask = database.CreateCommand("select state, cursor, direction::int from engine.run where id = $1");
        ask.Parameters.AddWithValue(id);
        await using var row = await ask.ExecuteReaderAsync();
        await row.ReadAsync();
        return (row.GetString(0), row.GetInt32(1), row.GetInt32(2));
    }
}

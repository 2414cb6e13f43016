using System.Globalization;
using Xunit.Abstractions;

namespace ManagedServers.Tests.Provisioning.Matrix;

/// <summary>
/// Every workflow, every step, every fault. The default suite breaks one thing at each step, another one from step to step; `./run test matrix`
/// breaks everything everywhere, one thing a run.
/// </summary>
[Trait("Category", "Matrix")]
public sealed class FaultMatrixTests(ITestOutputHelper output)
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("MANAGED_SERVERS_MATRIX") == "full";

    [Fact]
    public async Task Whatever_breaks_at_whichever_step_every_workflow_comes_to_its_right_end_or_says_why_not_and_does_so_when_retried()
    {
        await using var host = await RegisteredHost.Start();
        await EveryWorkflowHasARow(host);
        await using var matrix = new MatrixHost(host);
        var steps = await matrix.Learn();
        List<MatrixCell> cells = [];
        try
        {
            await (Full ? Whole(matrix, steps, cells) : OneFaultAStep(matrix, steps, cells));
        }
        finally
        {
            Show(cells);
        }
    }

    private static async Task EveryWorkflowHasARow(RegisteredHost host)
    {
        var kinds = (await host.Get("/api/v2/engine/kinds")).EnumerateArray().Select(k => k.GetProperty("kind").GetString());
        Assert.Equal(kinds.Order(StringComparer.Ordinal), MatrixRow.All.Select(r => r.Kind).Concat(MatrixRow.Elsewhere).Order(StringComparer.Ordinal));
    }

    private static async Task OneFaultAStep(MatrixHost matrix, IReadOnlyDictionary<string, IReadOnlyList<string>> steps, List<MatrixCell> cells)
    {
        var turn = 0;
        foreach (var row in MatrixRow.All)
        {
            var faults = Enumerable.Range(1, steps[row.Kind].Count).Select(step => (step, Faults.All[turn++ % Faults.All.Count])).ToList();
            await matrix.Run(row, steps[row.Kind], faults, cells);
        }

        Assert.Equal(Faults.All, cells.Select(c => c.Fault).Distinct().Order());
    }

    private static async Task Whole(MatrixHost matrix, IReadOnlyDictionary<string, IReadOnlyList<string>> steps, List<MatrixCell> cells)
    {
        // Once around for each place and kind of fault: a workflow with fewer steps than others begins again.
        var most = steps.Values.Max(s => s.Count);
        foreach (var fault in Faults.All)
        {
            for (var step = 0; step < most; step++)
            {
                foreach (var row in MatrixRow.All)
                {
                    var all = steps[row.Kind];
                    await matrix.Run(row, all, step < all.Count ? [(step + 1, fault)] : [], cells);
                }
            }
        }
    }

    private void Show(IReadOnlyList<MatrixCell> cells)
    {
        var table = MatrixCell.Table(cells).ToList();
        table.ForEach(output.WriteLine);
        var folder = Path.Combine(ProductProcess.Repository, "artifacts", "tests");
        Directory.CreateDirectory(folder);
        File.WriteAllLines(Path.Combine(folder, "matrix.txt"), [.. table, string.Create(CultureInfo.InvariantCulture, $"{cells.Count} faults, {cells.Count(c => c.Outcome == "went on by itself")} of them without anybody's help")]);
    }
}
